"""Calling the webhooks that users register: conversion, admission."""
